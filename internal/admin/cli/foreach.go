package cli

import "sync"

// ForEach calls do for each of all, at most atOnce at a time, and waits for the last.
func ForEach[T any](all []T, atOnce int, do func(i int, one T)) {
	next := make(chan int)
	var work sync.WaitGroup
	for range min(atOnce, len(all)) {
		work.Go(func() {
			for i := range next {
				do(i, all[i])
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	work.Wait()
}
