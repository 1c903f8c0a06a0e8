package main

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"dibao/internal/budget"
)

// notifySystemd tells systemd that the daemon is ready, alive, or stopping (sd_notify(3),
// Type=notify). Without systemd it does nothing. It notifies the watchdog only while the
// database answers, even with an error, so that a process in which a query hangs is
// restarted.
func (a *app) notifySystemd(ctx context.Context) error {
	a.notify(daemon.SdNotifyReady)
	defer a.notify(daemon.SdNotifyStopping)
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		a.log.Warn("no watchdog", "err", err)
	}
	if limit == 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(limit / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			a.articles.Version(ctx) // an error is also a response: /readyz reports it
			a.notify(daemon.SdNotifyWatchdog)
		}
	}
}

// settle releases the memory of code that only the start needed, a minute after the
// start.
func (a *app) settle(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		if err := budget.ReleaseCode(); err != nil {
			a.log.Warn("memory of the code not released", "err", err)
		}
	}
	return nil
}

func (a *app) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		a.log.Warn("systemd not notified", "state", state, "err", err)
	}
}
