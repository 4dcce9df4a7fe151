set pagination off
set confirm off
set style enabled off
set width 0
set print thread-events off
handle SIGUSR1 nostop print pass
break deep if *level == 1
run
next
next
backtrace
next
step
info locals
finish
delete
break kept
continue
info registers rbx rbp r12 r13 r14 r15 r8 eflags
delete
break change
continue
next
next
next
print (int)getppid() > 0
print (long)write(1, "by gdb\n", 7)
print watched
watch watched
continue
continue
delete
break thread
continue
next
next
backtrace 1
print line
delete
break handler
continue
next
backtrace
finish
delete
continue
print $_siginfo.si_signo
print $_siginfo.si_code
print $_siginfo._sifields._sigfault.si_addr
backtrace
info registers rip
handle SIGSEGV nostop noprint pass
continue
