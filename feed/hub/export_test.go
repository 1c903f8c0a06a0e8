package hub

// Waiting returns the number of requests that callbacks have not confirmed yet.
func (h *Hub) Waiting() int {
	h.waiting.mu.Lock()
	defer h.waiting.mu.Unlock()
	return len(h.waiting.all)
}
