// Command gliderlabs serves SSH by github.com/gliderlabs/ssh. Usage: gliderlabs ADDR KEY: passwords, none of which is right.
package main

import (
	"log"
	"os"

	"github.com/gliderlabs/ssh"
)

func main() {
	log.Fatal(ssh.ListenAndServe(os.Args[1], nil,
		ssh.HostKeyFile(os.Args[2]),
		ssh.PasswordAuth(func(ssh.Context, string) bool { return false })))
}
