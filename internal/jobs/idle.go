package jobs

import (
	"context"
	"errors"
	"time"
)

// River's client wakes 95 times a second even if there is nothing to do: its
// completer has a ticker of 50 ms that can't be configured. So it runs only while there are
// jobs, and rests otherwise; starting it takes some ten milliseconds.

const (
	// silentAfter is how long after the last job the watch stops notifying River of jobs.
	// From then on River fetches none, so that it can be stopped at once; when there is a
	// job, the watch notifies it again.
	silentAfter = 4 * time.Second
	// restAfter is how long after the last job the client is stopped.
	restAfter = silentAfter + 2*time.Second
)

// The stages of River's client.
const (
	rests int32 = iota
	runs
	stops
)

// work runs River's client while there are jobs for this node, until ctx ends.
func (r *Runner) work(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case any := <-r.watch.found:
			if !any {
				continue
			}
		}
		if err := r.client.Start(ctx); err != nil {
			if ctx.Err() == nil {
				r.opts.Logger.Warn("the job queue could not be started; the node tries again", "err", err)
			}
			continue
		}
		r.stage.Store(runs)
		if err := r.workUntilQuiet(ctx); err != nil {
			return err
		}
		r.stage.Store(rests)
	}
}

// workUntilQuiet lets the started client run until there is nothing to do, and stops it.
func (r *Runner) workUntilQuiet(ctx context.Context) error {
	stopped := r.client.Stopped()
	defer r.watch.silent.Store(false)
	for busyAt := time.Now(); time.Since(busyAt) < restAfter; {
		select {
		case <-stopped:
			if ctx.Err() == nil {
				return errors.New("the job queue stopped unexpectedly")
			}
			return nil
		case any := <-r.watch.found:
			if any || r.worker.running.Load() > 0 {
				busyAt = time.Now()
			}
			silent := time.Since(busyAt) >= silentAfter
			if was := r.watch.silent.Swap(silent); was && !silent {
				r.watch.look()
			}
		}
	}
	r.stage.Store(stops)
	if err := r.client.Stop(ctx); err != nil {
		<-stopped // ctx has ended, which also ends the client
	}
	return nil
}
