package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limit limits mail to one domain group, [mail.limits."qq.com"]. 0 means no limit.
type Limit struct {
	Connections   int // concurrent connections
	PerMinute     int // messages
	PerConnection int // messages
}

var limitKeys = []string{"connections", "per_connection", "per_minute"}

// limitsExamples are the commented tables of [Write] for one domain, by language.
var limitsExamples = map[string]string{
	"en": `
# Limits for one receiving domain; add a table for each domain. 0: no limit.
# [mail.limits."qq.com"]
# maximum number of simultaneous connections
# connections = 0
# maximum number of messages on one connection
# per_connection = 0
# maximum number of messages a minute
# per_minute = 0
`,
	"zh": `
# 对一个收件域名的限制；每个域名一节。0 表示不限。
# [mail.limits."qq.com"]
# 同时保持的连接数上限
# connections = 0
# 一个连接上最多发多少封
# per_connection = 0
# 每分钟最多发多少封
# per_minute = 0
`,
}

// setLimits removes the limits of domains from [mail] and stores them: they are
// a table of tables, which the table of keys can't express.
func (c *Config) setLimits(file string, content []byte, tree map[string]any) (problems []error) {
	section, _ := tree["mail"].(map[string]any)
	value, found := section["limits"]
	if !found {
		return nil
	}
	delete(section, "limits")
	limits, ok := value.(map[string]any)
	if !ok {
		return []error{fmt.Errorf("%s:%d: limits in [mail] must be a table by domain, such as [mail.limits.\"qq.com\"]", file, lineOf(content, "mail", "limits"))}
	}
	c.Mail.Limits = make(map[string]Limit)
	for domain, value := range limits {
		name := fmt.Sprintf("mail.limits.%q", domain)
		inner, ok := value.(map[string]any)
		if !ok {
			problems = append(problems, fmt.Errorf("%s:%d: [%s] must be a table; its keys are %s", file, lineOf(content, "", name), name, strings.Join(limitKeys, ", ")))
			continue
		}
		var l Limit
		for key, v := range inner {
			n, err := strconv.Atoi(scalar(v))
			if err != nil || n < 0 || n > 1_000_000 {
				err = errors.New("is not a number from 0 to 1000000")
			}
			switch key {
			case "connections":
				l.Connections = n
			case "per_minute":
				l.PerMinute = n
			case "per_connection":
				l.PerConnection = n
			default:
				err = fmt.Errorf("is an unknown key%s", suggest(key, slices.Clone(limitKeys)))
			}
			if err != nil {
				problems = append(problems, fmt.Errorf("%s:%d: %s in [%s] %w", file, lineOf(content, name, key), key, name, err))
			}
		}
		c.Mail.Limits[domain] = l
	}
	return problems
}

func setDirect(c *Config, v string) (err error) {
	if c.Mail.Direct, err = strconv.ParseBool(v); err != nil {
		return errors.New("is neither true nor false")
	}
	return nil
}
