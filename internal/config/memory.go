package config

import (
	"errors"
	"strconv"
	"strings"
)

// units are the units of sizes, in bytes.
var units = []struct {
	suffix string
	bytes  int64
}{{"MiB", 1 << 20}, {"GiB", 1 << 30}, {"MB", 1_000_000}, {"GB", 1_000_000_000}}

// The minimum and the maximum of [server] memory, in bytes.
const (
	minMemory = 64_000_000
	maxMemory = 1 << 40
)

func setMemory(c *Config, v string) error {
	for _, u := range units {
		number, ok := strings.CutSuffix(v, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 1 || n > maxMemory/u.bytes || n*u.bytes < minMemory {
			break
		}
		c.Server.Memory = n * u.bytes
		return nil
	}
	return errors.New("is not a size of at least 64MB, such as 256MB or 1GB")
}
