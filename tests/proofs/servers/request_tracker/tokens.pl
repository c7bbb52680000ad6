#!/usr/bin/perl
# Print {"rolecall": "1-14-...", ...}: a new token of REST2 for each user named.
use strict;
use warnings;
use lib '/usr/share/request-tracker5/lib';
use JSON ();
use RT -init;
use RT::AuthToken;

my %token;
for my $name (@ARGV) {
    my $user = RT::User->new( RT->SystemUser );
    $user->Load($name);
    die "there is no user $name\n" unless $user->id;
    my $made = RT::AuthToken->new( RT->SystemUser );
    my ( $done, $why, $text ) = $made->Create( Owner => $user->id, Description => 'proof' );
    die "$name: $why\n" unless $done;
    $token{$name} = $text;
}
print JSON->new->canonical->pretty->encode( \%token );
