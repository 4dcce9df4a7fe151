# Methods compiled by YJIT, redefined so that its code is thrown away; system calls in hot methods; threads, a fork.
abort 'YJIT is off' unless defined?(RubyVM::YJIT) && RubyVM::YJIT.enabled?

def hot(count)
  pid, parent, same, i = Process.pid, Process.ppid, 0, 0
  while i < count
    same += 1 if i.even? ? Process.ppid == parent : Process.pid == pid
    i += 1
  end
  same
end

# Each has its own methods, called often enough to be compiled.
def classes(count)
  (0...count).sum do |n|
    made = Class.new do
      define_method(:block) { |i| i * n % 1009 }
      class_eval "def text(i) i * #{n} % 1013 + (File.exist?('/') ? 1 : 0) end"
    end
    one = made.new
    (0...60).sum { |i| one.block(i) + one.text(i) }
  end
end

def base(n) n + 1 end

def redefined(count)
  (0...count).sum do |n|
    eval "def base(n) n + #{n} end"
    (0...50).sum { |i| base(i) }
  end
end

puts "hot #{hot(40_000)}"
puts "classes #{classes(300)}"
puts "redefined #{redefined(300)}"
class Integer
  alias_method :plus, :+
end
hot(100)
class Integer
  def +(other) plus(other) end   # what every compiled method has assumed
end
puts "another + #{hot(10_000)}"
puts "threads #{(1..4).map { |n| Thread.new { [hot(2000 * n), classes(20 * n)] } }.map(&:value)}"
pid = fork { exit!(hot(5000) == 5000 && classes(30) > 0 ? 3 : 1) }
Process.wait(pid)
puts "fork #{$?.exitstatus}"
GC.start
puts "compiled #{RubyVM::YJIT.runtime_stats.fetch(:inline_code_size) > 0}"
