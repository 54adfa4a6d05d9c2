// Package smb asks a file server which dialects of SMB it speaks and how it protects them, and leaves.
package smb
