// Goroutines, nil dereferences, os/exec, sockets, files; linked with libc.
package main

// int answer(void) { return 42; }
import "C"

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

type thing struct{ value int }

func nilDereference(t *thing) (caught string) {
	defer func() { caught = fmt.Sprint(recover()) }()
	return fmt.Sprint(t.value)
}

func sockets() (right int) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			link, err := server.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(link, link); link.Close() }()
		}
	}()
	var group sync.WaitGroup
	var lock sync.Mutex
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			link, err := net.Dial("tcp", server.Addr().String())
			if err != nil {
				return
			}
			fmt.Fprintf(link, "%03d", i)
			reply := make([]byte, 3)
			io.ReadFull(link, reply)
			link.Close()
			lock.Lock()
			if string(reply) == fmt.Sprintf("%03d", i) {
				right++
			}
			lock.Unlock()
		}(i)
	}
	group.Wait()
	server.Close()
	return
}

func main() {
	fmt.Println("cgo", C.answer())
	fmt.Println("nil", nilDereference(nil))
	var group sync.WaitGroup
	sums := make([]int, 200)
	for i := range sums {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			os.WriteFile(fmt.Sprintf("file%d", i), make([]byte, i), 0o600)
			time.Sleep(time.Millisecond)
			for n := 0; n < 10000; n++ {
				sums[i] += n % (i + 1)
			}
		}(i)
	}
	group.Wait()
	total := 0
	for _, sum := range sums {
		total += sum
	}
	files, _ := os.ReadDir(".")
	fmt.Println("goroutines", total, len(files))
	for i := 0; i < 10; i++ {
		output, err := exec.Command("sh", "-c", fmt.Sprintf("echo %d; exit %d", i, i%3)).Output()
		fmt.Printf("exec %q %v\n", output, err)
	}
	fmt.Println("sockets", sockets())
	_, err := os.Open("/nonexistent")
	fmt.Println(err)
	os.Exit(3)
}
