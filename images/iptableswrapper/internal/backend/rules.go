package backend

import (
	"bufio"
	"bytes"
	"io"
)

// Rules summarizes the rules of a backend.
type Rules struct {
	Kubelet bool // whether there are chains of kubelet
	Count   int
}

// read reads the output of iptables-save. Lines can have any length.
func read(r io.Reader) Rules {
	var rules Rules
	lines, continued := bufio.NewReader(r), false
	for {
		line, more, err := lines.ReadLine()
		if err != nil {
			return rules
		}
		if !continued {
			chain, _, _ := bytes.Cut(line, []byte(" "))
			switch string(chain) {
			case ":KUBE-IPTABLES-HINT", ":KUBE-KUBELET-CANARY":
				rules.Kubelet = true
			}
			if bytes.HasPrefix(line, []byte("-")) {
				rules.Count++
			}
		}
		continued = more
	}
}
