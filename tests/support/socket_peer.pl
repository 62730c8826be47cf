#!/usr/bin/perl
# A peer of a unix socket that is a process, and a user, of its own: socket_peer.pl SOCKET WHAT [NUMBER [FIRST]].
use strict;
use warnings;
use IO::Socket::UNIX;

my ($path, $what, $number, $first) = @ARGV;
$| = 1;
# What the server said before it closed is to be read.
$SIG{PIPE} = "IGNORE";

sub dial { return IO::Socket::UNIX->new(Peer => $path) || die "$path: $!\n" }

# Prints what the server says to one request.
sub ask {
  my ($socket, $id) = @_;
  syswrite $socket, qq({"jsonrpc":"2.0","id":$id,"method":"m"}\n);
  my $reply = <$socket>;
  return $reply // "closed\n";
}

if ($what eq "ask") {
  print ask(dial(), 1);
} elsif ($what eq "crowd") {
  # Holds so many connections, and says how many but the first ones were refused; ends with its stdin.
  my @sockets = map { dial() } 1 .. $number;
  my $refused = grep { (readline($_) // "") =~ /"error"/ } @sockets[$first .. $#sockets];
  print "$refused\n";
  <STDIN>;
} elsif ($what eq "flood") {
  # Sends requests without end, on all the connections that it may have, reading nothing; ends by being killed.
  my @sockets = map { my $socket = dial(); $socket->blocking(0); $socket } 1 .. $number;
  print "flooding\n";
  my $block = qq({"jsonrpc":"2.0","id":1,"method":"m"}\n) x 1000;
  while (1) { syswrite $_, $block for @sockets; select undef, undef, undef, 0.001 }
} elsif ($what eq "heir") {
  # Connects, and leaves the connection to a child.
  my $socket = dial();
  exit 0 if fork;
  <STDIN>;
  print ask($socket, 1);
} elsif ($what eq "become") {
  # Connects, and becomes another user.
  my $socket = dial();
  print "connected\n";
  $( = $) = $number;
  $< = $> = $number;
  <STDIN>;
  print ask($socket, 1);
}
