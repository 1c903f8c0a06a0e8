package delivery

import (
	"context"
	"fmt"
	"time"
)

// prepare looks up the readers of a batch, and whether they may still get mail: readers
// who unsubscribed or were suppressed since composing get nothing.
func (r *deliveryRun) prepare(ctx context.Context, batch []Delivery) ([]job, error) {
	jobs := make([]job, len(batch))
	for i, d := range batch {
		jobs[i] = job{Delivery: d}
	}
	return jobs, r.lookUp(ctx, jobs)
}

func (r *deliveryRun) lookUp(ctx context.Context, jobs []job) error {
	ids := make([]int64, len(jobs))
	for i, j := range jobs {
		ids[i] = j.Subscriber
	}
	readers, err := r.service.subscribers.Recipients(ctx, ids)
	if err != nil {
		return fmt.Errorf("look up readers: %w", err)
	}
	now := time.Now()
	for i := range jobs {
		reader, ok := readers[jobs[i].Subscriber]
		jobs[i].reader, jobs[i].wanted, jobs[i].lookedUp = reader, ok && !reader.Suppressed, now
	}
	return nil
}

// lookedUpTogether is the number of readers of a slow lane that are looked up again at a
// time.
const lookedUpTogether = 64

// lookUpAgain looks up the reader of a message that waited, and those of the next ones
// in its lane, which will also have waited.
func (r *deliveryRun) lookUpAgain(ctx context.Context, j job) (job, error) {
	r.mu.Lock()
	next := j.lane.queue[:min(len(j.lane.queue), lookedUpTogether-1)]
	jobs := append([]job{j}, next...)
	r.mu.Unlock()
	if err := r.lookUp(ctx, jobs); err != nil {
		return j, err
	}
	fresh := make(map[int64]job, len(jobs))
	for _, f := range jobs {
		fresh[f.ID] = f
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, queued := range j.lane.queue[:min(len(j.lane.queue), len(jobs))] { // some have left in the meantime
		if f, ok := fresh[queued.ID]; ok {
			q := &j.lane.queue[i]
			q.reader, q.wanted, q.lookedUp = f.reader, f.wanted, f.lookedUp
		}
	}
	return jobs[0], nil
}
