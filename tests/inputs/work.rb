# Threads, fork, pipes, files, sockets.
require 'socket'
results = (1..8).map { |n| Thread.new { (1..20_000).sum { |i| i % n } } }.map(&:value)
puts "threads #{results}"
reader, writer = IO.pipe
pid = fork { reader.close; writer.write('from the child'); exit! 4 }
writer.close
puts reader.read
Process.wait(pid)
puts "fork #{$?.exitstatus}"
puts `seq 1 5 | tail -n 1`
puts "system #{system('exit 3').inspect} #{$?.exitstatus}"
100.times { |i| File.write("file#{i}", 'x' * i) }
puts "files #{Dir['file*'].sum { |name| File.size(name) }}"
server = TCPServer.new('127.0.0.1', 0)
thread = Thread.new { 20.times { link = server.accept; link.puts link.gets.chomp.reverse; link.close } }
replies = (0...20).map { |i| TCPSocket.open('127.0.0.1', server.addr[1]) { |link| link.puts "line #{i}"; link.gets } }
thread.join
puts "sockets #{replies.map(&:to_s).map(&:strip).uniq.size}"
Signal.trap('USR1') { puts 'signal' }
Process.kill('USR1', Process.pid)
sleep 0.05
begin
  File.read('/nonexistent')
rescue SystemCallError => wrong
  puts wrong.class
end
exit 6
