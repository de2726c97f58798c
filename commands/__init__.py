"""What can be typed after ``trichter``: one file a subject, put together by trichter.py."""
