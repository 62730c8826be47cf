#!/usr/bin/perl
# Asks the agent by hand, as a user can: ask_agent.pl SOCKET METHOD [PARAMS]. Prints the reply, or "closed".
use strict;
use warnings;
use IO::Socket::UNIX;

my ($path, $method, $params) = @ARGV;
my $socket = IO::Socket::UNIX->new(Peer => $path) || die "$path: $!\n";
print $socket qq({"jsonrpc":"2.0","id":1,"method":"$method","params":) . ($params // "{}") . "}\n";
$socket->flush;
print scalar(<$socket>) // "closed\n";
