package hub

import (
	"cmp"
	"context"
	"database/sql"
	"net/netip"
	"time"

	"dibao/internal/quota"
)

// quotas limit what the hub does for one callback host, for one network, whatever the names
// of the callbacks in it, and in total.
type quotas struct{ host, network, all *quota.Quota }

// These are the limits of one host and one network. They suffice for a host that renews the
// maximum number of subscriptions at once; a push is about half a megabyte.
const (
	verifyOfHost, verifyOfHostHourly       = maxOfHost + 20, 360
	verifyOfNetwork, verifyOfNetworkHourly = maxOfNetwork + 50, 720
	pushOfHost, pushOfHostHourly           = 16 << 20, 64 << 20
	pushOfNetwork, pushOfNetworkHourly     = 48 << 20, 192 << 20
	pushHourly                             = 1 << 30
)

func newVerifyQuotas(now func() time.Time) quotas {
	return quotas{
		host:    &quota.Quota{Burst: verifyOfHost, Hourly: verifyOfHostHourly, Now: now},
		network: &quota.Quota{Burst: verifyOfNetwork, Hourly: verifyOfNetworkHourly, Now: now},
	}
}

func newPushQuotas(now func() time.Time, hourly int64) quotas {
	all := float64(cmp.Or(hourly, pushHourly))
	return quotas{
		host:    &quota.Quota{Burst: pushOfHost, Hourly: pushOfHostHourly, Now: now},
		network: &quota.Quota{Burst: pushOfNetwork, Hourly: pushOfNetworkHourly, Now: now},
		all:     &quota.Quota{Burst: all / 4, Hourly: all, Now: now},
	}
}

// wait returns how long a push has to wait until its bytes are within the limits; 0 if it
// can start.
func (q quotas) wait(s pushSubscription, bytes int) time.Duration {
	n := float64(bytes)
	return max(q.host.Wait(callbackHost(s.callback), n), q.network.Wait(s.network, n), q.all.Wait("", n))
}

func (q quotas) spend(s pushSubscription, bytes int) {
	n := float64(bytes)
	q.host.Spend(callbackHost(s.callback), n)
	q.network.Spend(s.network, n)
	q.all.Spend("", n)
}

// networkOf returns the network of an address for limits: /24 for IPv4, /48 for IPv6; "" if
// it is unknown.
func networkOf(addr netip.Addr) string {
	addr = addr.Unmap()
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// shortestDelay is the minimum delay of a push that exceeds a limit.
const shortestDelay = time.Minute

// postpone delays pushes that exceed a limit. They then send the newest content.
func (p *pusher) postpone(ctx context.Context, late map[int64]time.Duration, now time.Time) error {
	if len(late) == 0 {
		return nil
	}
	p.Logger.Info("pushes delayed: their host, their network or the hub has reached its hourly limit", "pushes", len(late))
	return p.Store.DB().Write(ctx, func(tx *sql.Tx) error {
		for id, wait := range late {
			if _, err := tx.ExecContext(ctx, `UPDATE push_subscriptions SET next_at = $2 WHERE id = $1 AND next_at <= $3`, id, now.Add(max(wait, shortestDelay)), now); err != nil {
				return err
			}
		}
		return nil
	})
}
