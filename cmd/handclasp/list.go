package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/handclasp/handclasp/internal/userfile"
	"github.com/handclasp/handclasp/scan"
)

// A list is what --input names. Its zero value is an empty one.
type list struct {
	name      string // for errors
	r         io.Reader
	file      *os.File // to be closed; nil for standard input
	endpoints int      // how many it stands for with the arguments, -1 if only its end will tell
}

func (a *app) openList(path string, args []string, order *scan.EndpointOptions) (*list, error) {
	switch path {
	case "":
		endpoints, _ := scan.Count(once(scan.Args(args)), a.probers, order)
		return &list{endpoints: int(endpoints)}, nil
	case "-":
		return &list{name: "standard input", r: a.stdin, endpoints: -1}, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--input: %w: name a file with one target a line, or - for standard input", err)
	}
	l := &list{name: path, r: file, file: file}
	if err := l.count(a, args, order); err != nil {
		l.close()
		return nil, fmt.Errorf("--input: %s: %w: name a file with one target a line, or - for standard input", path, userfile.Cause(err))
	}
	return l, nil
}

// count reads a regular file once to learn how much there is to do.
func (l *list) count(a *app, args []string, order *scan.EndpointOptions) error {
	info, err := l.file.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("it is a directory")
	}
	if !info.Mode().IsRegular() {
		l.endpoints = -1
		return nil
	}
	endpoints, _ := scan.Count(once(scan.Concat(scan.Args(args), l.lines(context.Background()))), a.probers, order)
	l.endpoints = int(endpoints)
	_, err = l.file.Seek(0, io.SeekStart)
	return err
}

// once leaves out targets that were named before.
func once(inputs iter.Seq2[scan.Input, error]) iter.Seq2[scan.Input, error] {
	return scan.Once(inputs, func() {})
}

func (l *list) lines(ctx context.Context) iter.Seq2[scan.Input, error] {
	if l.r == nil {
		return scan.Args(nil)
	}
	return scan.Lines(ctx, l.name, l.r)
}

func (l *list) close() {
	if l.file != nil {
		_ = l.file.Close()
	}
}
