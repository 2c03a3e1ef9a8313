package process

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// Healthcheck makes a program its own health check, for images that hold nothing else that could ask: started as
// "program healthcheck URL", it asks the URL and ends, with exit code 0 if the answer was 200. Started as anything
// else, it goes on. It is the first call of main.
func Healthcheck(args []string) {
	if len(args) != 3 || args[1] != "healthcheck" {
		return
	}
	if err := ask(args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// ask returns an error that holds what the URL answered, unless that was 200.
func ask(url string) error {
	client := http.Client{Timeout: 3 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, 4096)) // what arrived will do
		return fmt.Errorf("%s answers %s: %s", url, response.Status, said)
	}
	return nil
}
