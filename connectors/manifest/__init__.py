"""A connector for any system that a manifest describes: one TOML file, and no code in it.

What it is told                          What it does
`model`         the vocabulary           `receiving`  deliveries become events
`parts`, `api`  what its tables share    `mapping`    JSON becomes tickets and messages
`settings`      what an operator sets    `access`     requests, sign-in, what answers mean
`expressions`   JMESPath, in bounds      `lists`      pages
`placeholders`  `{name}` in requests     `looking`    what changed since the last look, and
                                         `polling`    what that tells
`values`        ids, times, texts        `connector`  what the agent calls
`catalogue`     the shipped manifests    `system`     a manifest with its settings
"""
