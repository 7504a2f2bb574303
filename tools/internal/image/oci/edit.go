package oci

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hyperkube/hyperkube/versions"
)

func str(s string) value { return value{kind: text, text: s} }

func num(n int64) value { return value{kind: number, text: strconv.FormatInt(n, 10)} }

func strs(texts []string) value {
	v := value{kind: list}
	for _, s := range texts {
		v.items = append(v.items, str(s))
	}
	return v
}

// member is a key of an object, and what it has.
type member struct {
	key  string
	item value
}

func obj(members ...member) value {
	v := value{kind: object}
	for _, m := range members {
		v = v.set(m.item, m.key)
	}
	return v
}

// pairsOf is an object of strings. Of a key that stands twice, the last counts.
func pairsOf(pairs []versions.Pair) value {
	v := value{kind: object}
	for _, p := range pairs {
		v = v.set(str(p.Value), p.Key)
	}
	return v
}

// get returns what is at a path, and null where nothing is.
func (v value) get(path ...string) value {
	for _, key := range path {
		i := slices.Index(v.keys, key)
		if i < 0 {
			return value{}
		}
		v = v.items[i]
	}
	return v
}

// set puts something at a path. A new key is the last of its object, which comes
// into being where null is.
func (v value) set(to value, path ...string) value {
	if len(path) == 0 {
		return to
	}
	v = value{kind: object, keys: slices.Clone(v.keys), items: slices.Clone(v.items)}
	i := slices.Index(v.keys, path[0])
	if i < 0 {
		i = len(v.keys)
		v.keys, v.items = append(v.keys, path[0]), append(v.items, value{})
	}
	v.items[i] = v.items[i].set(to, path[1:]...)
	return v
}

// drop takes the key at the end of a path away, where it is.
func (v value) drop(path ...string) value {
	i := slices.Index(v.keys, path[0])
	if i < 0 {
		return v
	}
	if len(path) > 1 {
		return v.set(v.items[i].drop(path[1:]...), path[0])
	}
	v.keys, v.items = slices.Delete(slices.Clone(v.keys), i, i+1), slices.Delete(slices.Clone(v.items), i, i+1)
	return v
}

// push adds items to the list at a path, where null stands for an empty one.
func (v value) push(item value, path ...string) value {
	l := v.get(path...)
	return v.set(value{kind: list, items: append(slices.Clone(l.items), item)}, path...)
}

// merge lays an object over another one, and so on below, as jq's * does.
func (v value) merge(over value) value {
	if v.kind != object || over.kind != object {
		return over
	}
	for i, key := range over.keys {
		item := over.items[i]
		if at := v.get(key); at.kind == object && item.kind == object {
			item = at.merge(item)
		}
		v = v.set(item, key)
	}
	return v
}

// texts returns the strings of a list.
func (v value) texts() []string {
	var all []string
	for _, item := range v.items {
		all = append(all, item.text)
	}
	return all
}

// whole returns a number, -1 where there is none.
func (v value) whole() int64 {
	n, err := strconv.ParseInt(v.text, 10, 64)
	if v.kind != number || err != nil {
		return -1
	}
	return n
}

// is says whether the value is of one of the kinds.
func (v value) is(kinds ...kind) bool { return slices.Contains(kinds, v.kind) }

// hasPrefix says whether the value is a string that begins so.
func (v value) hasPrefix(s string) bool { return v.kind == text && strings.HasPrefix(v.text, s) }
