package frames

import (
	"bytes"
	"errors"
	"testing"
)

type frame struct {
	k    Kind
	data string
}

func read(t testing.TB, chunks ...[]byte) (all []frame, err error) {
	t.Helper()
	var r Reader
	for _, c := range chunks {
		if err := r.Feed(c, func(k Kind, data []byte) error { all = append(all, frame{k, string(data)}); return nil }); err != nil {
			return all, err
		}
	}
	return all, nil
}

func TestFramesComeThroughHoweverTheyAreCut(t *testing.T) {
	long := bytes.Repeat([]byte("x"), MaxData)
	var stream []byte
	want := []frame{{Message, "m"}, {Input, string(long)}, {End, ""}, {Size, "1234"}, {Taken, string(Number(1 << 31))}}
	for _, f := range want {
		stream = Append(stream, f.k, []byte(f.data))
	}
	for _, size := range []int{1, 3, 4, 5, 1000, len(stream)} {
		var chunks [][]byte
		for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			chunks = append(chunks, rest[:min(size, len(rest))])
		}
		got, err := read(t, chunks...)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%d: %d frames, %v", size, len(got), err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%d: frame %d is of kind %c", size, i, got[i].k)
			}
		}
	}
	for _, wrong := range [][]byte{{'?', 0, 0, 0}, {'m', 255, 0, 0}} {
		if _, err := read(t, wrong); !errors.Is(err, ErrFrame) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if n, err := ParseNumber(Number(77)); n != 77 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	if _, err := ParseNumber([]byte{1}); !errors.Is(err, ErrFrame) {
		t.Error(err)
	}
}

// What was read is what would be written again.
func FuzzReader(f *testing.F) {
	f.Add(Append(Append(nil, Message, []byte("a")), Output, nil), 3)
	f.Add([]byte{'i', 0, 0, 200, 1}, 1)
	f.Fuzz(func(t *testing.T, stream []byte, cut int) {
		cut = min(max(cut, 0), len(stream))
		all, err := read(t, stream[:cut], stream[cut:])
		var again []byte
		for _, one := range all {
			again = Append(again, one.k, []byte(one.data))
		}
		if !bytes.HasPrefix(stream, again) {
			t.Errorf("%q became %q", stream, again)
		}
		if whole, wholeErr := read(t, stream); len(whole) != len(all) || (wholeErr == nil) != (err == nil) {
			t.Errorf("in one piece: %d frames, %v, and not %d, %v", len(whole), wholeErr, len(all), err)
		}
	})
}
