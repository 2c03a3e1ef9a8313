package up

import (
	"slices"
	"strconv"
	"strings"
)

// facade is the gateway in front of the monolith, as the ladder's first step has it.
const facade = "facade"

// behindFacade is the monolith that the façade stands in front of. It is a process of its own on the monolith's data: one
// that other customers ask directly as well would answer from what these have made it remember.
const behindFacade = "monolith-2"

// processes are those of the sides and the world outside, in the order in which they are named.
func (o *Options) processes(sides []string, step Step) []string {
	names := []string{"outside"}
	for _, side := range sides {
		for _, service := range Processes(side, step.Number) {
			names = append(names, service)
			for n := 2; n <= o.Instances[service]; n++ {
				names = append(names, service+"-"+strconv.Itoa(n))
			}
		}
	}
	if o.Facade {
		names = append(names, behindFacade, facade)
	}
	return names
}

// ServiceOf is the service that a process is an instance of: orders for orders-2.
func ServiceOf(process string) string {
	service, _ := instance(process)
	return service
}

// instanceOf is the number of a process among those of its service, from 1.
func instanceOf(process string) int {
	_, number := instance(process)
	return number
}

func instance(process string) (service string, number int) {
	service, suffix, _ := strings.Cut(process, "-")
	number, err := strconv.Atoi(suffix)
	if err != nil {
		return process, 1
	}
	return service, number
}

// instancesOf are the names of the running processes of a service, the first instance first.
func instancesOf(service string, addresses map[string]address) []string {
	var names []string
	for process := range addresses {
		if ServiceOf(process) == service {
			names = append(names, process)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return instanceOf(a) - instanceOf(b) })
	return names
}
