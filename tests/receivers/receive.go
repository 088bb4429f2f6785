// Takes requests as receivers in Go take them, step by step as the documentation of the systems that Tidegate stands in
// for tells their users to. receive.mjs says what goes in and out. The standard library is all that it needs.
package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

type request struct {
	Scheme     string      `json:"scheme"`
	Secret     string      `json:"secret"`
	Headers    [][2]string `json:"headers"`
	BodyBase64 string      `json:"bodyBase64"`
}

type verdict struct {
	Ok    bool   `json:"ok"`
	Event string `json:"event,omitempty"`
	Why   string `json:"why,omitempty"`
	Error string `json:"error,omitempty"`
}

func hexOf(secret string, message []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(message)
	return hex.EncodeToString(mac.Sum(nil))
}

// Whether a signature is right, for each system.
var receivers = map[string]func(secret string, header http.Header, body []byte) bool{
	"collecta": func(secret string, header http.Header, body []byte) bool {
		return hmac.Equal([]byte("sha256="+hexOf(secret, body)), []byte(header.Get("X-Webhook-Signature")))
	},
	"auction-excellence": func(secret string, header http.Header, body []byte) bool {
		provided := strings.TrimPrefix(header.Get("X-Webhook-Signature"), "sha256=")
		return hmac.Equal([]byte(hexOf(secret, body)), []byte(provided))
	},
}

func judge(line []byte) verdict {
	var came request
	if err := json.Unmarshal(line, &came); err != nil {
		return verdict{Error: err.Error()}
	}
	isValid, known := receivers[came.Scheme]
	body, err := base64.StdEncoding.DecodeString(came.BodyBase64)
	if !known || err != nil {
		return verdict{Error: fmt.Sprintf("nobody receives %s in Go, or the body is not base64: %v", came.Scheme, err)}
	}
	header := http.Header{}
	for _, pair := range came.Headers {
		header.Add(pair[0], pair[1])
	}
	if !isValid(came.Secret, header, body) {
		return verdict{Why: "the signature is another"}
	}
	var event struct {
		Event string `json:"event"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return verdict{Why: err.Error()}
	}
	return verdict{Ok: true, Event: event.Event}
}

func main() {
	lines, answers := bufio.NewReader(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(judge(line)); err != nil {
			log.Fatal(err)
		}
	}
}
