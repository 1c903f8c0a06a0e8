package metrics

import (
	"os"
	"runtime"
	"runtime/debug"
	runtimemetrics "runtime/metrics"
	"runtime/pprof"
	"time"

	"github.com/prometheus/procfs"
)

// Process collects the metrics of the Go runtime and of the process, with the names that
// Prometheus clients use. Those of the process require /proc.
type Process struct{}

var (
	goInfo      = New(Gauge, "go_info", "Information about the Go environment.", "version")
	goRoutines  = New(Gauge, "go_goroutines", "Number of goroutines that currently exist.")
	goThreads   = New(Gauge, "go_threads", "Number of OS threads created.")
	goProcs     = New(Gauge, "go_sched_gomaxprocs_threads", "Number of OS threads that can run Go code at the same time.")
	goPauses    = New(Summary, "go_gc_duration_seconds", "Pauses of garbage collection.")
	goGOGC      = New(Gauge, "go_gc_gogc_percent", "Heap size target percentage, as set by GOGC.")
	goMemLimit  = New(Gauge, "go_gc_gomemlimit_bytes", "Memory limit of the Go runtime, as set by GOMEMLIMIT.")
	openFiles   = New(Gauge, "process_open_fds", "Number of open file descriptors.")
	maxFiles    = New(Gauge, "process_max_fds", "Maximum number of open file descriptors.")
	cpu         = New(Counter, "process_cpu_seconds_total", "User and system CPU time in seconds.")
	virtual     = New(Gauge, "process_virtual_memory_bytes", "Virtual memory size in bytes.")
	maxVirtual  = New(Gauge, "process_virtual_memory_max_bytes", "Maximum amount of virtual memory in bytes.")
	resident    = New(Gauge, "process_resident_memory_bytes", "Resident memory size in bytes.")
	startedAt   = New(Gauge, "process_start_time_seconds", "When the process started, in Unix time.")
	received    = New(Counter, "process_network_receive_bytes_total", "Bytes received over the network, by all processes of the network namespace.")
	transmitted = New(Counter, "process_network_transmit_bytes_total", "Bytes sent over the network, by all processes of the network namespace.")
	memory      = memoryFamilies()
	quantiles   = []float64{0, 0.25, 0.5, 0.75, 1}
)

// A memoryFamily is a field of runtime.MemStats.
type memoryFamily struct {
	*Family
	value func(*runtime.MemStats) float64
}

func memoryFamilies() []memoryFamily {
	field := func(kind Kind, name, help string, value func(*runtime.MemStats) uint64) memoryFamily {
		return memoryFamily{New(kind, "go_memstats_"+name, help), func(m *runtime.MemStats) float64 { return float64(value(m)) }}
	}
	return []memoryFamily{
		field(Gauge, "alloc_bytes", "Bytes of heap objects that are in use.", func(m *runtime.MemStats) uint64 { return m.Alloc }),
		field(Counter, "alloc_bytes_total", "Bytes of heap objects allocated since the start.", func(m *runtime.MemStats) uint64 { return m.TotalAlloc }),
		field(Gauge, "sys_bytes", "Bytes obtained from the system.", func(m *runtime.MemStats) uint64 { return m.Sys }),
		field(Counter, "mallocs_total", "Heap objects allocated since the start.", func(m *runtime.MemStats) uint64 { return m.Mallocs }),
		field(Counter, "frees_total", "Heap objects freed since the start.", func(m *runtime.MemStats) uint64 { return m.Frees }),
		field(Gauge, "heap_alloc_bytes", "Bytes of heap objects that are in use.", func(m *runtime.MemStats) uint64 { return m.HeapAlloc }),
		field(Gauge, "heap_sys_bytes", "Bytes of heap obtained from the system.", func(m *runtime.MemStats) uint64 { return m.HeapSys }),
		field(Gauge, "heap_idle_bytes", "Bytes of idle heap.", func(m *runtime.MemStats) uint64 { return m.HeapIdle }),
		field(Gauge, "heap_inuse_bytes", "Bytes of heap that are in use.", func(m *runtime.MemStats) uint64 { return m.HeapInuse }),
		field(Gauge, "heap_released_bytes", "Bytes of heap released to the system.", func(m *runtime.MemStats) uint64 { return m.HeapReleased }),
		field(Gauge, "heap_objects", "Heap objects that are in use.", func(m *runtime.MemStats) uint64 { return m.HeapObjects }),
		field(Gauge, "stack_inuse_bytes", "Bytes of stacks that are in use.", func(m *runtime.MemStats) uint64 { return m.StackInuse }),
		field(Gauge, "stack_sys_bytes", "Bytes of stacks obtained from the system.", func(m *runtime.MemStats) uint64 { return m.StackSys }),
		field(Gauge, "mspan_inuse_bytes", "Bytes of mspan structures that are in use.", func(m *runtime.MemStats) uint64 { return m.MSpanInuse }),
		field(Gauge, "mspan_sys_bytes", "Bytes of mspan structures obtained from the system.", func(m *runtime.MemStats) uint64 { return m.MSpanSys }),
		field(Gauge, "mcache_inuse_bytes", "Bytes of mcache structures that are in use.", func(m *runtime.MemStats) uint64 { return m.MCacheInuse }),
		field(Gauge, "mcache_sys_bytes", "Bytes of mcache structures obtained from the system.", func(m *runtime.MemStats) uint64 { return m.MCacheSys }),
		field(Gauge, "buck_hash_sys_bytes", "Bytes of the hash table of profiles.", func(m *runtime.MemStats) uint64 { return m.BuckHashSys }),
		field(Gauge, "gc_sys_bytes", "Bytes of metadata of garbage collection.", func(m *runtime.MemStats) uint64 { return m.GCSys }),
		field(Gauge, "other_sys_bytes", "Bytes of other allocations of the runtime.", func(m *runtime.MemStats) uint64 { return m.OtherSys }),
		field(Gauge, "next_gc_bytes", "Bytes of heap at which garbage collection begins.", func(m *runtime.MemStats) uint64 { return m.NextGC }),
		{New(Gauge, "go_memstats_last_gc_time_seconds", "When the last garbage collection ended, in Unix time."), func(m *runtime.MemStats) float64 { return float64(m.LastGC) / 1e9 }},
	}
}

// Families implements Collector.
func (Process) Families() []*Family {
	all := []*Family{
		goInfo, goRoutines, goThreads, goProcs, goPauses, goGOGC, goMemLimit, openFiles, maxFiles, cpu,
		virtual, maxVirtual, resident, startedAt, received, transmitted,
	}
	for _, m := range memory {
		all = append(all, m.Family)
	}
	return all
}

// Collect implements Collector.
func (Process) Collect(p *Page) {
	p.Set(goInfo, 1, runtime.Version())
	p.Set(goRoutines, float64(runtime.NumGoroutine()))
	p.Set(goThreads, float64(pprof.Lookup("threadcreate").Count()))
	p.Set(goProcs, float64(runtime.GOMAXPROCS(0)))
	settings := []runtimemetrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
	runtimemetrics.Read(settings)
	p.Set(goGOGC, float64(settings[0].Value.Uint64()))
	p.Set(goMemLimit, float64(settings[1].Value.Uint64()))

	pauses := debug.GCStats{PauseQuantiles: make([]time.Duration, len(quantiles))}
	debug.ReadGCStats(&pauses)
	values := make([]float64, len(quantiles))
	for i, pause := range pauses.PauseQuantiles {
		values[i] = pause.Seconds()
	}
	p.Quantiles(goPauses, uint64(pauses.NumGC), pauses.PauseTotal.Seconds(), quantiles, values)

	var state runtime.MemStats
	runtime.ReadMemStats(&state)
	for _, m := range memory {
		p.Set(m.Family, m.value(&state))
	}
	ofProcess(p)
}

// ofProcess adds the values from /proc; without it, it adds nothing.
func ofProcess(p *Page) {
	self, err := procfs.NewProc(os.Getpid())
	if err != nil {
		return
	}
	if stat, err := self.Stat(); err == nil {
		p.Set(cpu, stat.CPUTime())
		p.Set(virtual, float64(stat.VirtualMemory()))
		p.Set(resident, float64(stat.ResidentMemory()))
		if at, err := stat.StartTime(); err == nil {
			p.Set(startedAt, at)
		}
	}
	if n, err := self.FileDescriptorsLen(); err == nil {
		p.Set(openFiles, float64(n))
	}
	if limits, err := self.Limits(); err == nil {
		p.Set(maxFiles, float64(limits.OpenFiles))
		p.Set(maxVirtual, float64(limits.AddressSpace))
	}
	if net, err := self.Netstat(); err == nil && net.InOctets != nil && net.OutOctets != nil {
		p.Set(received, *net.InOctets)
		p.Set(transmitted, *net.OutOctets)
	}
}
