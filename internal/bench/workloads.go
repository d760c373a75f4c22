package main

import "fmt"

const (
	spawns = "a loop that makes the pipes and the log file and starts the programs, and does nothing else"
	httpds = "an HTTP server in Go that answers every call with the same bytes"
	cat    = "the same writers, each into `cat > file`"
)

// workloads are all that is measured, in the order of the report.
func workloads() []workload {
	all := []workload{
		{name: "answer", measure: firstAnswer, limit: firstAnswerLimit, rows: []row{
			{key: "answer", title: "start of the daemon until the first answer", unit: "ms", limit: httpds,
				bound: "Loading a program of several MB and starting Go's runtime, then reading the configuration."},
		}},
		{name: "many", measure: startMany, limit: startManyLimit, rows: []row{
			{key: "many", title: "start of the daemon until 1,000 programs run", unit: "s", limit: spawns,
				bound: "The kernel's fork and exec, one after the other, which compete with the programs themselves for the processors."},
		}},
		{name: "crash", measure: crash, limit: crashLimit, rows: []row{
			{key: "crash", title: "death of a program until its successor lives", unit: "ms", limit: "starting the successor",
				bound: "Two switches between processes, fork and exec, and the start of the successor itself, which is a Go program."},
		}},
		{name: "commands", measure: commands, limit: commandsLimit, rows: []row{
			{key: "start100", title: "startAllProcesses, 100 programs", unit: "ms", limit: spawns, bound: "As the start of many programs: fork and exec."},
			{key: "start1000", title: "startAllProcesses, 1,000 programs", unit: "ms", limit: spawns},
			{key: "restart100", title: "`supervisorctl restart all`, 100 programs", unit: "ms", limit: spawns,
				bound: "100 kills, 100 waits, 100 starts, and one start of supervisorctl."},
		}},
		{name: "shutdown", measure: shutdown, limit: shutdownLimit, rounds: 2, rows: []row{
			{key: "shutdown", title: "SIGTERM until the daemon is gone, 100 groups stopped in order", unit: "ms", limit: "100 times kill and wait",
				bound: "100 times in turn a signal, the end of the process and the news of it: each group is stopped when the one before it has ended."},
		}},
		{name: "replace", measure: replaceDaemon, rows: []row{
			{key: "replace", title: "another version takes over, 100 programs, until all is as before", unit: "ms",
				bound: "The original has to be stopped and started, with all its programs. Here it is the longest time between two answers " +
					"during an upgrade, in which no program is touched: writing the state down, exec, starting Go's runtime and reading the state."},
		}},
		{name: "lose", measure: loseDaemon, rows: []row{
			{key: "lostanswer", title: "kill -9 and start of the daemon, 200 programs, until it answers", unit: "ms",
				bound: "The end of a process and the start of the daemon. Here it takes the programs back (`adopt=true`) before it answers, and " +
					"looks at each in /proc for that."},
			{key: "lost", title: "the same, until all programs run", unit: "ms",
				bound: "The original starts all programs a second time, beside those that the killed one has left, which are then without a supervisor. Here the " +
					"same programs go on."},
		}},
		{name: "calls", measure: calls, limit: callsLimit, rows: []row{
			{key: "state", title: "getState, a new connection each", unit: "ms", limit: httpds,
				bound: "Connecting, and Go's HTTP server; the method itself takes microseconds."},
			{key: "staterate", title: "getState, 8 clients", unit: "calls/s", rate: true, limit: httpds},
			{key: "info", title: "getAllProcessInfo of 100 programs", unit: "ms", limit: httpds,
				bound: "Sending about 100 KB through a socket, after encoding them in a tenth of that time. With 8 clients, Go's HTTP server and the clients themselves, which share the processors with it."},
			{key: "inforate", title: "getAllProcessInfo of 100 programs, 8 clients", unit: "calls/s", rate: true, limit: httpds},
			{key: "status", title: "`supervisorctl status`, 100 programs", unit: "ms", limit: "a client in Go that makes the call and looks at nothing",
				bound: "The start of supervisorctl, which reads the configuration to learn where the daemon is, then one call, of which it reads the answer."},
		}},
		logWorkload(outputs[0],
			row{key: "blocks", title: "log of one program, 1 GiB in writes of 64 KiB", unit: "MB/s", rate: true, limit: cat,
				bound: "Copying twice, out of a pipe and into the page cache; nothing else is done with the bytes."},
			row{key: "blockscpu", title: "the same, processor time of the daemon", unit: "s/GiB", limit: cat}),
		logWorkload(outputs[1],
			row{key: "rotated", title: "the same with rotation at 50 MiB", unit: "MB/s", rate: true, limit: cat + " (without rotation)",
				bound: "As before; a rotation renames files, which costs the more the more backups there are."},
			row{key: "rotatedcpu", title: "the same, processor time of the daemon", unit: "s/GiB", limit: cat}),
		logWorkload(outputs[2],
			row{key: "lines", title: "log of one program, 2 million lines of 100 bytes, a write each", unit: "MB/s", rate: true, limit: cat,
				bound: "The writer's system calls: a pipe that fills quickly is read a millisecond later, in larger pieces. " +
					"What the writer reaches when nobody reads meanwhile stands below, which is more than any daemon can. For a pipe that was ever polled, as whoever has many must, " +
					"the kernel looks for somebody to wake with each write, which costs the writer a seventh; `cat` does not poll. The processor time is what can be saved."},
			row{key: "lineswriter", title: "the same, written into a pipe that nobody reads meanwhile", unit: "MB/s", rate: true,
				limit: "that writer alone"},
			row{key: "linescpu", title: "the same, processor time of the daemon", unit: "s/GiB", limit: cat}),
		logWorkload(outputs[3],
			row{key: "fifty", title: "logs of 50 programs at once, lines of 100 bytes", unit: "MB/s", rate: true, limit: cat,
				bound: "The 50 writers' system calls, which share the processors with the daemon."},
			row{key: "fiftycpu", title: "the same, processor time of the daemon", unit: "s/GiB", limit: cat}),
		{name: "events", measure: events, limit: eventsLimit, rows: []row{
			{key: "events", title: "events, from 8 clients to a listener and back", unit: "events/s", rate: true, limit: httpds,
				bound: "The listener must answer an event before it gets the next one: two switches between processes for each, besides the call. Of about 30 us of processor time for an event the daemon takes two thirds, most of it in the kernel: reading, writing, and waking who waits. What is left is waiting for processes to be woken."},
			{key: "eventcalls", title: "the same, calls of the clients", unit: "calls/s", rate: true, limit: httpds},
		}},
	}
	for _, n := range sizes {
		all = append(all, growthWorkload(n))
	}
	daemons, _ := crowds()
	return append(all, workload{name: "ten", measure: tenThousand, rounds: 1, rows: mostRows(daemons)})
}

// mostRows are the rows of the programs that are the most, in so many daemons.
func mostRows(daemons int) []row {
	programs, why := digits(mostPrograms)+" programs", ""
	if daemons > 1 {
		programs += fmt.Sprintf(" in %d daemons", daemons)
		why = fmt.Sprintf(" The limit of open files of this machine cannot be raised and allows one daemon %s; "+
			"the times to ask are those of all daemons, one after the other.", digits(float64(most())))
	}
	return []row{
		{key: "tenstart", title: programs + ", start until all run", unit: "s",
			bound: "As the start of 1,000: fork and exec. What limits their number is not memory but descriptors, three for each program." + why},
		{key: "tencall", title: programs + ", getAllProcessInfo", unit: "ms", bound: "Encoding and sending more than a KB for each program."},
		{key: "tenstatus", title: programs + ", `supervisorctl status`", unit: "ms", bound: "The same, then reading it and writing a line for each."},
		{key: "tenmemory", title: programs + ", memory of the daemons for each", unit: "KiB", bound: memoryBound},
		{key: "tenstop", title: programs + ", SIGTERM until the daemons are gone", unit: "s", bound: "The kernel's ends of the processes, and a line in the log for each."},
	}
}
