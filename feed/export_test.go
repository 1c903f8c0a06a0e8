package feed

// WaitingToShare returns the number of collections that wait for a storing transaction.
func (st *Store) WaitingToShare() int {
	st.shared.mu.Lock()
	defer st.shared.mu.Unlock()
	return len(st.shared.waiting)
}
