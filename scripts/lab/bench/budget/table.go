package budget

// Table is all figures, in the order of their rows.
//
// Row 4 has to hold for a fleet and a monolith that use the same techniques. Rows 1 to 3 and 5 to 7 compare with
// something that does as little as can be done, in the same run.
var Table = []Line{
	{Row: 1, What: "monolith's checkout over HTTP ÷ the same SQL sent by pgbench, in the same two transactions",
		Rule: AtLeast, Budget: 0.40, Stretch: to(0.65)},
	{Row: 2, What: "monolith, one book uncached ÷ a net/http + pgx probe",
		Rule: AtLeast, Budget: 0.95, Stretch: to(1.4)},
	{Row: 3, What: "monolith, cached lists ÷ a static answer by Echo",
		Rule: AtLeast, Budget: 0.70, Stretch: to(0.85)},

	{Row: 4, Part: "browsing", What: "services ÷ monolith, throughput of the browsing mix",
		Rule: AtLeast, Budget: 0.40, Stretch: to(0.60)},
	{Row: 4, Part: "shopping", What: "services ÷ monolith, throughput of the shopping mix",
		Rule: AtLeast, Budget: 0.38, Stretch: to(0.50)},
	{Row: 4, Part: "ordering", What: "services ÷ monolith, throughput of the ordering mix",
		Rule: AtLeast, Budget: 0.28, Stretch: to(0.40)},

	{Row: 5, What: "monolith behind the gateway ÷ services, pages that one service serves",
		Rule: About, Budget: 1.0},

	{Row: 6, Part: "nginx", What: "gateway ÷ nginx, throughput in front of a tiny backend",
		Rule: AtLeast, Budget: 0.30, Stretch: to(0.45)},
	{Row: 6, Part: "caddy", What: "gateway ÷ Caddy, throughput in front of a tiny backend",
		Rule: AtLeast, Budget: 1.5, Stretch: to(2.0)},
	{Row: 6, Part: "cpu", What: "gateway ÷ nginx, CPU per request",
		Rule: AtMost, Budget: 4.5, Stretch: to(2.8)},
	{Row: 7, What: "gateway's added p99 at 2,000 requests/s ÷ Caddy's",
		Rule: AtMost, Budget: 0.5, Stretch: to(0.3)},

	{Row: 8, What: "synchronous hops on a checkout's critical path, the card processor aside",
		Rule: AtMost, Budget: 2},
	{Row: 9, Part: "p50", What: "commit → effect of an event at 1,000/s, median", Unit: "ms",
		Rule: AtMost, Budget: 2},
	{Row: 9, Part: "p99", What: "commit → effect of an event at 1,000/s, 99th percentile", Unit: "ms",
		Rule: AtMost, Budget: 6},
	{Row: 10, What: "throughput with tracing at 1 % ÷ off",
		Rule: AtLeast, Budget: 0.85, Stretch: to(0.95)},

	{Row: 11, Part: "service", What: "memory at idle (PSS) of the largest service", Unit: "MiB",
		Rule: AtMost, Budget: 24, Stretch: to(16)},
	{Row: 11, Part: "lab", What: "memory at idle (PSS) of everything that lab up starts", Unit: "MiB",
		Rule: AtMost, Budget: 400, Stretch: to(300)},
	{Row: 12, What: "exec → ready of the slowest service, migrations done", Unit: "ms",
		Rule: AtMost, Budget: 100, Stretch: to(40)},
	{Row: 13, Part: "warm", What: "lab up → first paid order on both sides, warm build cache", Unit: "s",
		Rule: AtMost, Budget: 15, Stretch: to(8)},
	{Row: 13, Part: "cold", What: "lab up → first paid order on both sides, cold build cache", Unit: "s",
		Rule: AtMost, Budget: 120},

	{Row: 14, Part: "lost", What: "events lost", Rule: AtMost, Budget: 0},
	{Row: 14, Part: "oversold", What: "copies sold that were not there", Rule: AtMost, Budget: 0},
	{Row: 14, Part: "charged-twice", What: "charges made twice", Rule: AtMost, Budget: 0},
}

func to(stretch float64) *float64 { return &stretch }
