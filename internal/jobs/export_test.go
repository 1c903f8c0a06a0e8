package jobs

// Resting reports whether River's client is stopped because there are no jobs.
func (r *Runner) Resting() bool { return r.stage.Load() == rests }

// Stopping reports whether River's client is about to be stopped.
func (r *Runner) Stopping() bool { return r.stage.Load() == stops }
