// Signals, nil dereferences in many goroutines, calls into C, children; linked with libc.
package main

/*
#include <signal.h>
#include <unistd.h>
static int twice(int n) { usleep(10); return 2 * n; }
static void self(int number) { raise(number); }
*/
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

type thing struct {
	value int
	far   [200]int
}

func nilDereference(t *thing, where int) (caught string) {
	defer func() { caught = fmt.Sprint(recover()) }()
	if where == 0 {
		return fmt.Sprint(t.value)
	}
	t.far[where] = 1
	return "none"
}

// Every signal that is sent arrives, one after the other.
func signals() (seen int) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGWINCH)
	defer signal.Stop(came)
	for i := 0; i < 500; i++ {
		number := []syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM, syscall.SIGHUP,
			syscall.SIGWINCH}[i%5]
		if i%2 == 0 {
			syscall.Kill(os.Getpid(), number)
		} else {
			C.self(C.int(number))
		}
		if <-came == number {
			seen++
		}
	}
	return
}

func nils() (right int) {
	var group sync.WaitGroup
	var lock sync.Mutex
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := 0; n < 200; n++ {
				text := nilDereference(nil, n%3*60)
				lock.Lock()
				if text == "runtime error: invalid memory address or nil pointer dereference" {
					right++
				}
				lock.Unlock()
			}
		}()
	}
	group.Wait()
	return
}

// Loops without a call are preempted by signals; threads of their own call C; the collector stops them all.
func preempted() int {
	var group sync.WaitGroup
	total := make([]int, 20)
	for i := range total {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			if i%2 == 0 {
				runtime.LockOSThread() // and never unlocked: the thread ends with its goroutine
			}
			for n := 0; n < 20000000; n++ {
				total[i] += n & 1
			}
			for n := 0; n < 50; n++ {
				total[i] += int(C.twice(C.int(n)))
			}
		}(i)
	}
	for i := 0; i < 20; i++ {
		runtime.GC()
	}
	group.Wait()
	return total[0] + total[19]
}

func children() {
	for _, number := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGKILL, syscall.SIGUSR1} {
		child := exec.Command("sleep", "100")
		child.Start()
		child.Process.Signal(number)
		fmt.Println(child.Wait())
	}
	var group sync.WaitGroup
	outputs := make([]string, 40)
	for i := range outputs {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			output, err := exec.Command("sh", "-c", fmt.Sprintf("echo %d; exit %d", i, i%4)).Output()
			outputs[i] = fmt.Sprintf("%q %v", output, err)
		}(i)
	}
	group.Wait()
	fmt.Println(outputs)
}

func main() {
	fmt.Println("signals", signals())
	fmt.Println("nils", nils())
	fmt.Println("preempted", preempted())
	children()
	ignored := exec.Command("sh", "-c", "kill -TERM $$; echo ignored")
	signal.Ignore(syscall.SIGTERM)
	output, err := ignored.Output()
	fmt.Printf("%q %v\n", output, err)
	signal.Reset(syscall.SIGHUP)
	syscall.Kill(os.Getpid(), syscall.SIGHUP)
	time.Sleep(time.Minute)
}
