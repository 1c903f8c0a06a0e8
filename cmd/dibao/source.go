package main

import (
	"github.com/spf13/cobra"

	"dibao/cmd/dibao/cli"
	"dibao/cmd/dibao/sources"
)

func newSource(g *globals) *cobra.Command { return sources.New(program{g}) }

// program is this program as its groups of commands use it.
type program struct{ *globals }

var _ sources.Program = program{}

func (p program) Open(cmd *cobra.Command) (*sources.Node, func(), error) {
	a, err := p.open(cmd)
	if err != nil {
		return nil, nil, err
	}
	return a.sourcesNode(), a.close, nil
}

// sourcesNode returns the parts of an open node that the commands of sources use.
func (a *app) sourcesNode() *sources.Node {
	return &sources.Node{Config: a.config, Articles: a.articles, Collector: a.collector}
}

func (p program) LacksDatabase() (bool, error) {
	c, err := p.loadConfig()
	if err != nil {
		return false, err
	}
	return missingDatabase(c) != nil, nil
}

func (p program) UseDatabase(url string) { p.database = url }

func (p program) Say(cmd *cobra.Command, format string, args ...any)   { p.say(cmd, format, args...) }
func (p program) Print(cmd *cobra.Command, format string, args ...any) { p.print(cmd, format, args...) }
func (p program) Message(format string, args ...any) string            { return p.message(format, args...) }
func (p program) Either(english, chinese string) string                { return p.either(english, chinese) }
func (p program) Output() cli.Output                                   { return p.output() }
func (p program) Yes() bool                                            { return p.yes }
func (p program) ChangedNothing()                                      { p.change.none = true }
func (p program) Changed(detail string)                                { p.change.detail = detail }

func (p program) Confirm(cmd *cobra.Command, format string, args ...any) error {
	return p.confirm(cmd, format, args...)
}
