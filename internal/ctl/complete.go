package ctl

import (
	"context"
	"slices"
	"strings"
	"time"

	"supervisord/internal/rpcclient"
)

// completeTimeout is how long completion waits for the daemon.
const completeTimeout = 3 * time.Second

// Candidate is a word that completion offers.
type Candidate struct {
	Word string
	// About says something about the word, where there is something to say.
	About string
}

// completions is what completion knows of the daemon's processes. It is asked
// once for each line, because one key can ask for it several times.
type completions struct{ infos []rpcclient.ProcessInfo }

// Complete returns what the word at the end of a line can be completed to, and
// that word.
func (c *Controller) Complete(ctx context.Context, line string) (list []Candidate, word string) {
	words := fields(line)
	if n := len(words); n > 0 && strings.HasSuffix(line, words[n-1]) {
		word = words[n-1]
	}
	if len(words) == 0 || len(words) == 1 && word != "" {
		return c.candidates(ctx, ActionArg, word), word
	}
	kind := NoArg
	if a := findAction(words[0]); a != nil {
		kind = a.Arg
	}
	if kind == SignalArg {
		kind = ProcessArg
	}
	return c.candidates(ctx, kind, word), word
}

// CompleteArgument returns what an argument of an action can be completed to,
// after the given arguments.
func (c *Controller) CompleteArgument(ctx context.Context, a *Action, args []string, word string) []Candidate {
	if strings.HasPrefix(word, "-") && len(args) == 0 {
		var list []Candidate
		for _, flag := range a.Flags {
			list = append(list, Candidate{Word: flag})
		}
		return matchingWords(list, word)
	}
	kind := a.Arg
	switch {
	case kind == SignalArg && len(args) == 0:
		return c.candidates(ctx, SignalArg, word)
	case kind == SignalArg:
		kind = ProcessArg
	}
	return c.candidates(ctx, kind, word)
}

// candidates returns the words of a kind that start with word.
func (c *Controller) candidates(ctx context.Context, kind Arg, word string) []Candidate {
	var list []Candidate
	switch kind {
	case ActionArg:
		for _, a := range Actions() {
			list = append(list, Candidate{a.Name, a.Short})
		}
	case GroupArg:
		for _, info := range c.completions(ctx).infos {
			list = appendNew(list, Candidate{Word: info.Group})
		}
	case ProcessArg:
		list = processCandidates(c.completions(ctx).infos, word)
	case SignalArg:
		for _, name := range []string{"HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "CONT", "STOP", "WINCH"} {
			list = append(list, Candidate{Word: name})
		}
	}
	return matchingWords(list, word)
}

// processCandidates returns the ways to name processes: alone where group and
// process have the same name, unless word has a colon, otherwise with the
// group, and the whole group.
func processCandidates(infos []rpcclient.ProcessInfo, word string) []Candidate {
	var list []Candidate
	for _, info := range infos {
		about := info.StateName
		if info.Description != "" {
			about += " " + info.Description
		}
		if info.Name == info.Group && !strings.Contains(word, ":") {
			list = append(list, Candidate{info.Name, about})
			continue
		}
		list = append(list, Candidate{info.Group + ":" + info.Name, about})
		list = appendNew(list, Candidate{info.Group + ":*", "the whole group"})
	}
	return list
}

// appendNew appends a candidate whose word is not in the list yet. It looks
// from the end, where the word is if it is there.
func appendNew(list []Candidate, candidate Candidate) []Candidate {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Word == candidate.Word {
			return list
		}
	}
	return append(list, candidate)
}

func matchingWords(list []Candidate, word string) []Candidate {
	return slices.DeleteFunc(list, func(x Candidate) bool { return !strings.HasPrefix(x.Word, word) })
}

// completions returns what is known of the daemon's processes: nothing if it
// cannot be asked, because completion has nowhere to complain.
func (c *Controller) completions(ctx context.Context) *completions {
	if c.complete != nil {
		return c.complete
	}
	c.complete = &completions{}
	ctx, cancel := context.WithTimeout(ctx, completeTimeout)
	defer cancel()
	client, err := c.rpc()
	if err != nil {
		return c.complete
	}
	defer c.disconnect()
	if infos, err := client.AllProcessInfo(ctx); err == nil {
		c.complete.infos = infos
	}
	return c.complete
}

// commonPrefix returns the longest start that all candidates share.
func commonPrefix(list []Candidate) string {
	if len(list) == 0 {
		return ""
	}
	prefix := list[0].Word
	for _, x := range list[1:] {
		for !strings.HasPrefix(x.Word, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	return strings.ToValidUTF8(prefix, "")
}
