package jobs

// Resting reports whether River's client is stopped, for want of jobs.
func (r *Runner) Resting() bool { return r.resting.Load() }
