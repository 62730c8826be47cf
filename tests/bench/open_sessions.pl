#!/usr/bin/perl
# Opens login sessions at the agent, each led by a process of its own: open_sessions.pl SOCKET COUNT TICKETS UID...
# TICKETS: keys by comma, taken in turns, or '' for none. Prints how long each opening took, in microseconds, then "open"; ends,
# with all of its processes, with its stdin: sessions on a ticket are closed then.
use strict;
use warnings;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

my ($path, $count, $tickets, @uids) = @ARGV;
my @tickets = split /,/, $tickets;
$| = 1;

sub ask {
  my ($method, $params) = @_;
  my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
  syswrite $socket, qq({"jsonrpc":"2.0","id":1,"method":"$method","params":{$params}}\n);
  return scalar(<$socket>) // "nothing";
}

pipe my $end, my $keep or die "pipe: $!\n";
for my $i (1 .. $count) {
  pipe my $answered, my $answer or die "pipe: $!\n";
  my $pid = fork // die "fork: $!\n";
  if (!$pid) {
    close $keep;
    close $answered;
    my $uid = $uids[$i % @uids];
    $( = $) = $uid;
    $< = $> = $uid;
    my $began = time;
    my $ticket = @tickets ? qq("$tickets[$i % @tickets]") : "null";
    my $opening = qq("mode":"command","shell":"/bin/bash","ticket":$ticket,"tty":"","from":"","command":"sleep 1000");
    my $reply = ask("session.open", $opening);
    my $took = time - $began;
    print {$answer} $reply =~ /"result"/ ? sprintf("%d\n", 1e6 * $took) : "refused: $reply\n";
    close $_ for $answer, *STDIN, *STDOUT;
    sysread $end, my $byte, 1;
    ask("session.close", qq("how":"logout","exitCode":0)) if @tickets;
    exit 0;
  }
  close $answer;
  print my $took = <$answered> // "refused: no answer\n";
  exit 1 if $took =~ /refused/;
}
print "open\n";
<STDIN>;
