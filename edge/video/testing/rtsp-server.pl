# RTSP::Server (Debian's librtsp-server-perl) on 127.0.0.1: what is published to one port it serves to clients of the other,
# over UDP only. Argument: JSON {publishPort, clientPort, rtpPort, path}. Prints "listening", then "ready" when a picture is
# published; ends with its standard input.
use strict;
use warnings;
use AnyEvent;
use JSON::PP;
use RTSP::Server;

my $o = decode_json($ARGV[0]);
$| = 1;
# It counts from here again whenever nothing is published.
$RTSP::Server::RTP_START_PORT = $o->{rtpPort};
my $server = RTSP::Server->new(
    log_level => 0,
    client_listen_address => '127.0.0.1',
    source_listen_address => '127.0.0.1',
    client_listen_port => $o->{clientPort},
    source_listen_port => $o->{publishPort},
    rtp_start_port => $o->{rtpPort},
);
$server->listen;
print "listening\n";
my $end = AnyEvent->condvar;
my $input = AnyEvent->io(fh => \*STDIN, poll => 'r', cb => sub { $end->send unless sysread STDIN, my $byte, 1 });
my $look;
$look = AnyEvent->timer(after => 0.1, interval => 0.1, cb => sub {
    my $mount = $server->mounts->{$o->{path}};
    return unless $mount && $mount->mounted;
    print "ready\n";
    undef $look;
});
$end->recv;
