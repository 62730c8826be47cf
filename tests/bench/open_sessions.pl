#!/usr/bin/perl
# Opens login sessions at the agent, each led by a process of its own: open_sessions.pl SOCKET COUNT UID...
# Prints how long each opening took, in microseconds, then "open"; ends, with all of its processes, with its stdin.
use strict;
use warnings;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

my ($path, $count, @uids) = @ARGV;
$| = 1;
my $request = qq({"jsonrpc":"2.0","id":1,"method":"session.open","params":{"mode":"command","shell":"/bin/bash",)
  . qq("ticket":null,"tty":"","from":"","command":"sleep 1000"}}\n);
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
    my $socket = IO::Socket::UNIX->new(Peer => $path) or die "$path: $!\n";
    syswrite $socket, $request;
    my $reply = <$socket> // "nothing";
    my $took = time - $began;
    print {$answer} $reply =~ /"result"/ ? sprintf("%d\n", 1e6 * $took) : "refused: $reply\n";
    close $_ for $answer, $socket, *STDIN, *STDOUT;
    sysread $end, my $byte, 1;
    exit 0;
  }
  close $answer;
  print my $took = <$answered> // "refused: no answer\n";
  exit 1 if $took =~ /refused/;
}
print "open\n";
<STDIN>;
