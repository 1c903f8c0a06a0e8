package jobs

import (
	"context"
	"errors"
)

// River's client wakes 95 times a second even if there is nothing to do: its
// completer has a ticker of 50 ms that can't be configured. So it runs only while there are
// jobs, and rests otherwise; starting it takes some ten milliseconds.

const (
	// silentAfter is the number of looks without a job after which the watch no
	// longer notifies River of jobs. River fetches none from then on, so that it
	// stops at once; when a job comes, the watch notifies it again.
	silentAfter = 4
	// restAfter is the number of looks without a job after which the client is stopped.
	restAfter = silentAfter + 2
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
		r.resting.Store(false)
		if err := r.workUntilQuiet(ctx); err != nil {
			return err
		}
		r.resting.Store(true)
	}
}

// workUntilQuiet lets the started client run until there is nothing to do, and stops it.
func (r *Runner) workUntilQuiet(ctx context.Context) error {
	stopped := r.client.Stopped()
	defer r.watch.silent.Store(false)
	for looks := 0; looks < restAfter; {
		select {
		case <-stopped:
			if ctx.Err() == nil {
				return errors.New("the job queue stopped by itself")
			}
			return nil
		case any := <-r.watch.found:
			looks++
			if any || r.worker.running.Load() > 0 {
				looks = 0
			}
			if was := r.watch.silent.Swap(looks >= silentAfter); was && looks == 0 {
				r.watch.look()
			}
		}
	}
	if err := r.client.Stop(ctx); err != nil {
		<-stopped // ctx has ended, which ends the client, too
	}
	return nil
}
