package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/prometheus/procfs"
)

// IdleFigures are the results of "bench idle": for a daemon without sources,
// readers and requests, and for an empty server in the same time.
type IdleFigures struct {
	Seconds      float64 `json:"seconds"`
	CPU          float64 `json:"cpu_s"`
	CorePercent  float64 `json:"core_percent"`
	Wakeups      float64 `json:"wakeups_s"` // wakeups of all threads per second
	RSS          float64 `json:"rss_mb"`
	EmptyCPU     float64 `json:"empty_cpu_s"`
	EmptyWakeups float64 `json:"empty_wakeups_s"`
	EmptyRSS     float64 `json:"empty_rss_mb"`
}

// settling is how long a daemon runs before it is measured: its work at the
// start does not count as idling.
const settling = 15 * time.Second

// Idle measures for a while the cost of "serve" when nothing happens, on the given
// database.
func Idle(ctx context.Context, database string, during time.Duration) (out IdleFigures, err error) {
	dir, err := os.MkdirTemp("", "dibao-idle")
	if err != nil {
		return out, err
	}
	defer os.RemoveAll(dir)
	if database == "" {
		database = "sqlite:" + filepath.Join(dir, "dibao.db")
	}
	self, err := os.Executable()
	if err != nil {
		return out, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return out, err
	}
	addr := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start := func(args ...string) (*exec.Cmd, error) {
		cmd := exec.CommandContext(ctx, self, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "DIBAO_DATABASE_URL="+database, "DIBAO_SERVER_ADDR="+addr, "DIBAO_SERVER_BASE_URL=http://"+addr)
		return cmd, cmd.Start()
	}
	serve, err := start("serve", "--database", database)
	if err != nil {
		return out, fmt.Errorf("start the daemon: %w", err)
	}
	defer serve.Wait()
	defer cancel()
	empty, err := start("bench", "helper", "empty")
	if err != nil {
		return out, fmt.Errorf("start an empty server: %w", err)
	}
	defer empty.Wait()
	defer cancel()
	for begun := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		resp, err := http.Get("http://" + addr + "/readyz")
		if err == nil {
			resp.Body.Close()
			break
		}
		if time.Since(begun) > time.Minute {
			return out, fmt.Errorf("the daemon was not ready within a minute: %w", err)
		}
	}
	if err := sleep(ctx, settling); err != nil {
		return out, err
	}
	before, err := usageOf(serve.Process.Pid, empty.Process.Pid)
	if err != nil {
		return out, err
	}
	if err := sleep(ctx, during); err != nil {
		return out, err
	}
	after, err := usageOf(serve.Process.Pid, empty.Process.Pid)
	if err != nil {
		return out, err
	}
	seconds := after[0].at.Sub(before[0].at).Seconds()
	out = IdleFigures{
		Seconds: seconds, CPU: after[0].cpu - before[0].cpu, RSS: after[0].rss, Wakeups: (after[0].switches - before[0].switches) / seconds,
		EmptyCPU: after[1].cpu - before[1].cpu, EmptyRSS: after[1].rss, EmptyWakeups: (after[1].switches - before[1].switches) / seconds,
	}
	out.CorePercent = 100 * out.CPU / seconds
	return out, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// usage is what a process has used so far: CPU seconds, voluntary context switches of
// its threads, which count how often they woke, and resident memory in MB.
type usage struct {
	at                 time.Time
	cpu, switches, rss float64
}

// usageOf reads the usage of each process from Linux's /proc (proc(5)).
func usageOf(pids ...int) (out []usage, err error) {
	for _, pid := range pids {
		u := usage{at: time.Now()}
		threads, err := procfs.AllThreads(pid)
		measured := 0
		for _, thread := range threads {
			scheduled, errScheduled := thread.Schedstat()
			status, errStatus := thread.NewStatus()
			if err = errors.Join(errScheduled, errStatus); err != nil {
				continue // it ended after it was listed
			}
			measured++
			u.cpu += float64(scheduled.RunningNanoseconds) / 1e9
			u.switches += float64(status.VoluntaryCtxtSwitches)
			u.rss = float64(status.VmRSS) / 1024 / 1000 // thousands of KiB, as for the baselines
		}
		if measured == 0 {
			return nil, errors.Join(fmt.Errorf("process %d can't be measured: \"bench idle\" needs Linux's /proc, and the process running", pid), err)
		}
		out = append(out, u)
	}
	return out, nil
}
