# A Request Tracker for the proof alone: everything of it is in $RT_HOME.
use utf8;
Set($rtname, 'rolecall-proof');
Set($Organization, 'example.test');
Set($Timezone, 'UTC');
Set($WebDomain, '127.0.0.1');
Set($WebPort, $ENV{RT_PORT} || 8911);
Set($WebPath, '');
Set($CorrespondAddress, 'rt@example.test');
Set($CommentAddress, 'rt-comment@example.test');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, "$ENV{RT_HOME}/rt.sqlite");
Set($MailCommand, sub { 1 });
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
Set($WebSessionClass, 'Apache::Session::File');
Set($BcryptCost, 4);    # RT hashes the token of each request: with its default that alone takes half a second
Set($RolecallURL, $ENV{RT_ROLECALL_URL} || '');
Set($RolecallSecret, $ENV{RT_ROLECALL_SECRET} || '');
1;
