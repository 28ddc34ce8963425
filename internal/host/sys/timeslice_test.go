package sys

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestTimeSliceIsRenewedOnceItIsOver(t *testing.T) {
	long := time.Now().Add(time.Hour) // as in a slice that does not end during the test
	s := TimeSlice{since: long}
	s.Renew()
	if s.since != long {
		t.Error("a new slice before the end of the last")
	}
	over := time.Now().Add(-sliceLength)
	s.since = over
	s.Renew()
	if s.since == over {
		t.Error("no new slice")
	}
}

func BenchmarkReadsInTimeSlices(b *testing.B) { benchmarkReads(b, (*TimeSlice).Renew) }

// Compare the switches of context.
func BenchmarkReadsWithoutTimeSlices(b *testing.B) { benchmarkReads(b, func(*TimeSlice) {}) }

func benchmarkReads(b *testing.B, renew func(*TimeSlice)) {
	fd, err := unix.Open("/dev/zero", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 256<<10)
	var before, after unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	var s TimeSlice
	for b.Loop() {
		renew(&s)
		if _, err := Read(fd, buf); err != nil {
			b.Fatal(err)
		}
	}
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	b.ReportMetric(float64(after.Nvcsw-before.Nvcsw)/b.Elapsed().Seconds(), "switches/s")
}
