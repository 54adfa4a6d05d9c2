module github.com/handclasp/handclasp

go 1.26
