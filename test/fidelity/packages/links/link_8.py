import links.link_9
