package jobs

import (
	"context"
	"time"

	"dibao/internal/database"
)

// takeBackEvery is the interval between checks for jobs of nodes that are gone.
const takeBackEvery = time.Minute

// takeBack makes jobs available again that were running on nodes that are gone. Until then no
// node can start the same job: if a node was killed while it composed, no node could compose.
// The attempt does not count. A node that was only disconnected from the database may finish
// its run next to the new one; the functions of jobs must expect this.
//
// A name that contains "_" is one that River made up: nodes of earlier releases had
// no names of their own.
func (r *Runner) takeBack(ctx context.Context) error {
	living, err := r.opts.Living(ctx, r.db)
	if err != nil {
		return err
	}
	res, err := r.db.JobsDB().ExecContext(ctx, r.db.Dialect().Pick(`
		UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0) WHERE state = 'running'
		AND instr(json_extract(attempted_by, '$[#-1]'), '_') = 0 AND json_extract(attempted_by, '$[#-1]') NOT IN (SELECT value FROM json_each($1))`, `
		UPDATE river_job SET state = 'available', attempt = greatest(attempt - 1, 0) WHERE state = 'running'
		AND strpos(attempted_by[array_upper(attempted_by, 1)], '_') = 0
		AND attempted_by[array_upper(attempted_by, 1)] NOT IN (SELECT jsonb_array_elements_text($1::jsonb))`),
		string(database.JSON(append(living, r.opts.Node))))
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if n > 0 {
		r.opts.Logger.Warn("jobs of a node that is gone are available again", "jobs", n)
		r.watch.look()
	}
	return err
}

func (r *Runner) takeBackAgain(ctx context.Context) {
	tick := time.NewTicker(takeBackEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := r.takeBack(ctx); err != nil && ctx.Err() == nil {
			r.opts.Logger.Warn("jobs of nodes that are gone not checked", "err", err)
		}
	}
}
