// A relay in the manner of frp's Join: both directions copied at once with pooled buffers of 16 KiB, both
// connections closed as soon as one direction has ended.
//
//	go_relay VIA TARGET          copies
//	go_relay VIA TARGET splice   lets io.CopyBuffer find the connections' own way, splice(2) on Linux
package main

import (
	"io"
	"log"
	"net"
	"os"
	"sync"
)

var buffers = sync.Pool{New: func() any {
	buffer := make([]byte, 16<<10)
	return &buffer
}}

// copied hides what a TCPConn can do besides.
type copied struct{ io.ReadWriteCloser }

func move(to, from io.ReadWriteCloser, done chan<- struct{}) {
	buffer := buffers.Get().(*[]byte)
	// The client and the target tell whether all has come.
	_, _ = io.CopyBuffer(to, from, *buffer)
	buffers.Put(buffer)
	to.Close()
	from.Close()
	done <- struct{}{}
}

func relay(client io.ReadWriteCloser, target string, splice bool) {
	conn, err := net.Dial("tcp", target)
	if err != nil {
		client.Close()
		return
	}
	var server io.ReadWriteCloser = conn
	if !splice {
		client, server = copied{client}, copied{server}
	}
	done := make(chan struct{}, 2)
	go move(server, client, done)
	go move(client, server, done)
	<-done
	<-done
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go relay(client, "127.0.0.1:"+os.Args[2], len(os.Args) > 3)
	}
}
