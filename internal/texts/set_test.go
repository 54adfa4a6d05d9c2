package texts_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/handclasp/handclasp/internal/texts"
)

func TestSet(t *testing.T) {
	var s texts.Set
	_, ok := s.Find("")
	require.False(t, ok, "nothing is there")
	list := []string{"", "a", "\x00", "aa", strings.Repeat("long ", 1<<15), strings.Repeat("b", 127), strings.Repeat("b", 128)}
	for i := range 50_000 {
		list = append(list, fmt.Sprint("text ", i))
	}
	for i, text := range list {
		if n, isNew := s.Add(text); n != i || !isNew {
			t.Fatal(text, n, isNew)
		}
	}
	for i, text := range list {
		if n, isNew := s.Add(text); n != i || isNew {
			t.Fatal(text, n, isNew)
		}
		if n, ok := s.Find(text); n != i || !ok || s.Text(i) != text {
			t.Fatal(text, n, ok, s.Text(i))
		}
	}
	_, ok = s.Find("text")
	require.False(t, ok)
	require.Equal(t, len(list), s.Len())
}

// What was read of a set doesn't change when more is added, and a text is no object of its own.
func TestSetIsSmall(t *testing.T) {
	const many = 20_000
	list := make([]string, many)
	for i := range list {
		list[i] = fmt.Sprintf("%016d", i)
	}
	allocations := testing.AllocsPerRun(1, func() {
		s := new(texts.Set)
		s.Add(list[0])
		first := s.Text(0)
		for _, text := range list {
			s.Add(text)
		}
		require.Equal(t, list[0], first)
	})
	require.Less(t, allocations, many/20.0)
}
