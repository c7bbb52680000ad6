# Two projects, a person of staff, and an account that may only read and comment. Prints their keys as JSON.
require 'json'
Setting.rest_api_enabled = '1'
Setting.text_formatting = 'textile'
def person(login, first)
  user = User.new(firstname: first, lastname: 'Example', mail: "#{login}@example.test", language: 'en')
  user.login = login
  user.password = user.password_confirmation = "#{login}-password-1"
  user.save!
  user
end
role = Role.new(name: 'Rolecall', issues_visibility: 'all')
role.permissions = %i[view_issues view_private_notes add_issue_notes set_notes_private edit_own_issue_notes]
role.save!
bot, tech = person('rolecall', 'Role'), person('tech', 'Tess')
projects = { 'Network' => 'network', 'Electrician' => 'electrician' }.map do |name, identifier|
  project = Project.new(name: name, identifier: identifier, is_public: false)
  project.enabled_module_names = ['issue_tracking']
  project.trackers = Tracker.all
  project.save!
  Member.create!(project: project, user: bot, roles: [role])
  Member.create!(project: project, user: tech, roles: [Role.find_by_name('Manager')])
  [name, project.id]
end
puts JSON.generate(
  bot: { id: bot.id, key: bot.api_key }, tech: { id: tech.id, key: tech.api_key }, projects: projects.to_h,
  closed: IssueStatus.where(is_closed: true).pluck(:id)
)
