package sessions

// sessionList holds sessions by last activity, the longest idle first. The
// links are in the sessions.
type sessionList struct {
	front, back *Session
	len         int
	// settled is the last of those at the front that have been settled.
	settled *Session
}

func (l *sessionList) pushBack(s *Session) {
	s.prev, s.next = l.back, nil
	if l.back != nil {
		l.back.next = s
	} else {
		l.front = s
	}
	l.back = s
	l.len++
}

func (l *sessionList) remove(s *Session) {
	if l.settled == s {
		l.settled = s.prev
	}
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
	s.prev, s.next = nil, nil
	l.len--
}

// unsettled returns the longest idle session that has not been settled.
func (l *sessionList) unsettled() *Session {
	if l.settled == nil {
		return l.front
	}
	return l.settled.next
}
