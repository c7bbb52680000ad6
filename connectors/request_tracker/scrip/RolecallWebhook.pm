package RT::Action::RolecallWebhook;

# A scrip action that tells Rolecall what happened to a ticket: one POST for each transaction, signed as Standard
# Webhooks says. RT_SiteConfig.pm sets $RolecallURL and $RolecallSecret (whsec_ and base64). A webhook that fails never
# fails what somebody does in RT; Rolecall finds by its poll what did not arrive.

use strict;
use warnings;
use base 'RT::Action';

use Digest::SHA qw(hmac_sha256_base64);
use HTTP::Request;
use JSON ();
use LWP::UserAgent;
use MIME::Base64 qw(decode_base64);

my $LONGEST_TEXT = 100_000;    # characters; the whole text is read when it is needed
my $PATIENCE     = 2;          # seconds: somebody waits in front of RT meanwhile

sub Prepare { return RT->Config->Get('RolecallURL') ? 1 : 0 }

sub Commit {
    my $self = shift;
    my $batch = $self->TicketObj->TransactionBatch || [];
    my @done = @$batch ? @$batch : ( $self->TransactionObj );
    for my $transaction (@done) {
        my $what = _what($transaction) or next;
        eval { $self->_tell( $transaction, $what ); 1 }
            or RT->Logger->error("Rolecall was not told of transaction @{[ $transaction->id ]}: $@");
    }
    return 1;
}

# What Rolecall wants to know of; nothing for the rest.
sub _what {
    my $transaction = shift;
    my $type = $transaction->Type;
    return $type if $type =~ /^(?:Create|Comment|Correspond|Status)$/;
    return $transaction->Field if $type eq 'Set' && ( $transaction->Field || '' ) =~ /^(?:Queue|Subject)$/;
    return;
}

sub _tell {
    my ( $self, $transaction, $what ) = @_;
    my $creator = $transaction->CreatorObj;
    my %data = (
        ticket      => $self->TicketObj->id + 0,
        transaction => $transaction->id + 0,
        creator     => $creator->Name,
        staff       => $creator->Privileged ? JSON::true : JSON::false,
        created     => $transaction->CreatedObj->W3CDTF( Timezone => 'UTC' ),
    );
    $data{text} = substr( $transaction->Content( Type => 'text/plain' ) // '', 0, $LONGEST_TEXT )
        if $what eq 'Comment' || $what eq 'Correspond';
    if ( $what eq 'Status' || $what eq 'Queue' ) {
        $data{old} = $transaction->OldValue;
        $data{new} = $transaction->NewValue;
    }
    my $body = JSON->new->utf8->canonical->encode( { type => $what, data => \%data } );
    my $id   = join '-', 'rt', $transaction->id;
    my $now  = time;
    ( my $secret = RT->Config->Get('RolecallSecret') || '' ) =~ s/^whsec_//;
    my $digest = hmac_sha256_base64( "$id.$now.$body", decode_base64($secret) );
    $digest .= '=' while length($digest) % 4;
    my $request = HTTP::Request->new(
        POST => RT->Config->Get('RolecallURL'),
        [
            'Content-Type'      => 'application/json',
            'webhook-id'        => $id,
            'webhook-timestamp' => $now,
            'webhook-signature' => "v1,$digest",
        ],
        $body,
    );
    my $answer = LWP::UserAgent->new( timeout => $PATIENCE, agent => 'RolecallWebhook/1' )->request($request);
    die $answer->status_line . "\n" unless $answer->is_success;
    return;
}

1;
