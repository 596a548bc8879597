package sessions

// sessionList holds sessions by last activity, the longest idle first. The
// links are in the sessions.
type sessionList struct {
	front, back *Session
	len         int
}

func (l *sessionList) pushBack(s *Session) {
	s.list, s.prev, s.next = l, l.back, nil
	if l.back != nil {
		l.back.next = s
	} else {
		l.front = s
	}
	l.back = s
	l.len++
}

func (l *sessionList) remove(s *Session) {
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		l.front = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		l.back = s.prev
	}
	s.list, s.prev, s.next = nil, nil, nil
	l.len--
}

// oldestBut returns the longest idle session but one, nil when there is no other.
func (l *sessionList) oldestBut(keep *Session) *Session {
	if l.front == keep && keep != nil {
		return keep.next
	}
	return l.front
}
