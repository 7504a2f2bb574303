package oci

import (
	"slices"
	"strconv"

	"github.com/hyperkube/hyperkube/versions"
)

func str(s string) value { return value{kind: text, text: s} }

func num(n int64) value { return value{kind: number, text: strconv.FormatInt(n, 10)} }

func arr(items ...value) value { return value{kind: list, items: items} }

func strs(texts []string) value {
	v := arr()
	for _, s := range texts {
		v.items = append(v.items, str(s))
	}
	return v
}

// member is a key of an object with its value.
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

// pairs returns an object of strings. The last of duplicate keys wins.
func pairs(list []versions.Pair) value {
	v := obj()
	for _, p := range list {
		v = v.set(str(p.Value), p.Key)
	}
	return v
}

// get returns the value at a path, null if there is none.
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

// set sets the value at a path. A new key becomes the last of its object; null
// becomes an object.
func (v value) set(item value, path ...string) value {
	if len(path) == 0 {
		return item
	}
	v = value{kind: object, keys: slices.Clone(v.keys), items: slices.Clone(v.items)}
	i := slices.Index(v.keys, path[0])
	if i < 0 {
		i = len(v.keys)
		v.keys, v.items = append(v.keys, path[0]), append(v.items, value{})
	}
	v.items[i] = v.items[i].set(item, path[1:]...)
	return v
}

// drop removes the key at a path, if it exists.
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

// add appends an item to the list at a path. Null counts as an empty list.
func (v value) add(item value, path ...string) value {
	return v.set(arr(append(slices.Clone(v.get(path...).items), item)...), path...)
}

// merge merges two objects recursively, like the operator * of jq.
func (v value) merge(over value) value {
	if v.kind != object || over.kind != object {
		return over
	}
	for i, key := range over.keys {
		item := over.items[i]
		if old := v.get(key); old.kind == object && item.kind == object {
			item = old.merge(item)
		}
		v = v.set(item, key)
	}
	return v
}

// Strings returns the strings of a list.
func (v value) Strings() []string {
	var all []string
	for _, item := range v.items {
		all = append(all, item.text)
	}
	return all
}

// Int64 returns the value of a number, -1 for other kinds.
func (v value) Int64() int64 {
	n, err := strconv.ParseInt(v.text, 10, 64)
	if v.kind != number || err != nil {
		return -1
	}
	return n
}

// is reports whether the value has one of the kinds.
func (v value) is(kinds ...kind) bool { return slices.Contains(kinds, v.kind) }
