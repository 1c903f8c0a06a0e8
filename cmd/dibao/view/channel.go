package view

import (
	"time"

	"dibao/cmd/dibao/cli"
	"dibao/digest/channel"
)

// Channel is a group that gets the issues of a list, in JSON.
type Channel struct {
	ID         int64        `json:"id"`
	List       string       `json:"list"`
	Kind       string       `json:"kind"`
	Server     *string      `json:"server"`      // host and port of the service; null if the secret file can't be read
	Room       *string      `json:"room"`        // chat, topic or room
	SecretFile *string      `json:"secret_file"` // path of the file; its content is never printed
	Private    bool         `json:"private"`     // the server may be in your own network
	Proxy      *string      `json:"proxy"`
	CreatedAt  time.Time    `json:"created_at"`
	Last       *channel.Row `json:"last"`  // state of its newest issue
	Error      *string      `json:"error"` // why it can't send now, such as permissions of the secret file; null if it can
}

// OfChannel returns the view of a channel of a list, with the state of its newest issue.
func OfChannel(c channel.Channel, list string, last *channel.Row) Channel {
	v := Channel{
		ID: c.ID, List: list, Kind: c.Kind, Server: cli.Null(c.Host()), Room: cli.Null(c.Room), SecretFile: cli.Null(c.SecretFile),
		Private: c.Private, Proxy: cli.Null(c.Proxy), CreatedAt: c.CreatedAt, Last: last,
	}
	if err := c.Check(); err != nil {
		text := err.Error()
		v.Error = &text
	}
	return v
}
