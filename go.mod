module github.com/handclasp/handclasp

go 1.26

require (
	github.com/jlaffaye/ftp v0.2.4 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
)
