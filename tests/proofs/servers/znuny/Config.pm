# Settings of the proof's Znuny: all of it stands in $ZNUNY_HOME, its database listens on $ZNUNY_PG_PORT. No mail is sent.
package Kernel::Config;
use strict;
use warnings;
use utf8;

sub Load {
    my $Self = shift;
    $Self->{Database}      = 'otrs';
    $Self->{DatabaseUser}  = 'otrs';
    $Self->{DatabasePw}    = '';
    $Self->{DatabaseDSN}   = "DBI:Pg:dbname=otrs;host=127.0.0.1;port=$ENV{ZNUNY_PG_PORT};";
    $Self->{Home}          = $ENV{ZNUNY_HOME};
    $Self->{SecureMode}    = 1;
    $Self->{HttpType}      = 'http';
    $Self->{FQDN}          = '127.0.0.1';
    $Self->{SendmailModule}      = 'Kernel::System::Email::DoNotSendEmail';
    $Self->{CheckEmailAddresses} = 0;
    $Self->{CheckMXRecord}       = 0;
    return 1;
}

use Kernel::Config::Defaults;
use parent qw(Kernel::Config::Defaults);
1;
